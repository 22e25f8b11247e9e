"""A recorded visit as files of the field: WARC, WACZ, HAR. No browser, no database."""
