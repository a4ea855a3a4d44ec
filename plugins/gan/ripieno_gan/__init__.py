"""Pictures for films: made by formula, learnt by a small generator, and a trained one."""
