"""The pages, a module for each subject; every one offers a `router`."""
