"""A package, so that its fixtures can have a package's scope: they end before other folders' tests begin."""
