"""Sets of labelled clips, made by the data sources, and how near their labels are to their sound."""
