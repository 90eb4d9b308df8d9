"""What was found of a consignment, as archivists read it: summary, printable page, and the forms of other tools."""
