"""Reading a shop's texts from the files it has: Markdown, JSON, DOCX, HTML, PDF."""
