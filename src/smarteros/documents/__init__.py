"""Reading photographed and PDF invoices."""
