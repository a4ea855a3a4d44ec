"""What is done to sound after a separation, and before it is published."""
