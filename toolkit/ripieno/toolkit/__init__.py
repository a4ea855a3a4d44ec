"""What plugins share that is no contract; import the module that is needed, nothing is exported here."""
