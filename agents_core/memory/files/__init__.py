"""Files as agents read them: text out of formats, passages out of text, and looking into both."""
