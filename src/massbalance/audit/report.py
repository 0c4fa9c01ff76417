def report_html(view): return b"<html></html>"
