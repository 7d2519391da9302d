"""The command line: joins the measuring and the reporting half."""
