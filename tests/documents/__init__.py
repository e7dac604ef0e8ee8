"""Invented invoices: drawn, stamped by a test authority, photographed, and measured against what they say."""
