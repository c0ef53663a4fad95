"""Documents of office programs: Word, OpenDocument, sheets and slides, all archives of XML parts."""
