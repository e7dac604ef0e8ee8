"""The models and fields of Odoo 19 (with l10n_cl) which the stand-in knows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class OdooField:
    """``stored`` False: computed on reading; a domain on it is Odoo's error 500."""

    type: str
    label: str
    relation: str | None = None
    stored: bool = True


def _fields(text: str) -> dict[str, OdooField]:
    """One field per line: name, type, relation or "-", "computed" or "-", label."""
    table: dict[str, OdooField] = {
        "id": OdooField("integer", "ID"),
        "display_name": OdooField("char", "Display Name", stored=False),
    }
    for line in text.strip().splitlines():
        name, kind, relation, computed, label = line.split(maxsplit=4)
        table[name] = OdooField(kind, label, None if relation == "-" else relation, computed == "-")
    return table


MODELS: dict[str, dict[str, OdooField]] = {
    "account.move": _fields("""
        name                        char      -                        -        Number
        ref                         char      -                        -        Reference
        payment_reference           char      -                        -        Payment Reference
        invoice_date                date      -                        -        Invoice/Bill Date
        invoice_date_due            date      -                        -        Due Date
        date                        date      -                        -        Date
        partner_id                  many2one  res.partner              -        Partner
        commercial_partner_id       many2one  res.partner              -        Commercial Entity
        amount_untaxed              monetary  -                        -        Untaxed Amount
        amount_tax                  monetary  -                        -        Tax
        amount_total                monetary  -                        -        Total
        amount_residual             monetary  -                        -        Amount Due
        currency_id                 many2one  res.currency             -        Currency
        payment_state               selection -                        -        Payment Status
        state                       selection -                        -        Status
        move_type                   selection -                        -        Type
        l10n_latam_document_number  char      -                        computed Document Number
        l10n_latam_document_type_id many2one  l10n_latam.document.type -        Document Type
        company_id                  many2one  res.company              -        Company
        invoice_line_ids            one2many  account.move.line        -        Invoice lines
        line_ids                    one2many  account.move.line        -        Journal Items
        reversal_move_ids           one2many  account.move             -        Reversal
        reversed_entry_id           many2one  account.move             -        Reversal of
        invoice_origin              char      -                        -        Origin
        invoice_user_id             many2one  res.users                -        Salesperson
    """),
    "account.move.line": _fields("""
        move_id       many2one  account.move    -  Journal Entry
        display_type  selection -               -  Display Type
        product_id    many2one  product.product -  Product
        name          char      -               -  Label
        quantity      float     -               -  Quantity
        price_unit    float     -               -  Unit Price
        price_subtotal monetary -               -  Subtotal
        price_total   monetary  -               -  Total
        partner_id    many2one  res.partner     -  Partner
        company_id    many2one  res.company     -  Company
        date          date      -               -  Date
    """),
    "product.product": _fields("""
        default_code  char     -                        -        Internal Reference
        name          char     -                        -        Name
        lst_price     float    -                        computed Sales Price
        list_price    float    -                        -        Sales Price
        barcode       char     -                        -        Barcode
        active        boolean  -                        -        Active
        sale_ok       boolean  -                        -        Sales
        qty_available float    -                        computed Quantity On Hand
        product_template_attribute_value_ids many2many product.template.attribute.value - Attribute Values
    """),
    "res.partner": _fields("""
        name                  char     -               -        Name
        phone                 char     -               -        Phone
        phone_sanitized       char     -               -        Sanitized Number
        phone_mobile_search   char     -               -        Phone Number
        email                 char     -               -        Email
        email_normalized      char     -               -        Normalized Email
        vat                   char     -               -        Tax ID
        is_company            boolean  -               -        Is a Company
        active                boolean  -               -        Active
        lang                  char     -               -        Language
        customer_rank         integer  -               -        Customer Rank
        commercial_partner_id many2one res.partner     -        Commercial Entity
        country_id            many2one res.country     -        Country
        company_id            many2one res.company     -        Company
    """),
    "res.company": _fields("""
        name        char     -            -  Company Name
        vat         char     -            -  Tax ID
        currency_id many2one res.currency -  Currency
        country_id  many2one res.country  -  Country
    """),
    "res.currency": _fields("""
        name           char    - - Currency
        symbol         char    - - Symbol
        decimal_places integer - - Decimal Places
    """),
    "res.country": _fields("""
        name char - - Country Name
        code char - - Country Code
    """),
    "l10n_latam.document.type": _fields("""
        name            char - - Name
        code            char - - Code
        doc_code_prefix char - - Document Code Prefix
    """),
    "ir.model": _fields("""
        name  char - - Model Description
        model char - - Model
    """),
    "res.users": _fields("""
        name       char     -           - Name
        login      char     -           - Login
        company_id many2one res.company - Company
    """),
    "res.users.apikeys": _fields("""
        name            char     -         - Description
        user_id         many2one res.users - User
        scope           char     -         - Scope
        create_date     datetime -         - Creation Date
        expiration_date datetime -         - Expiration Date
    """),
    "mail.activity": _fields("""
        res_model_id  many2one ir.model  -        Document Model
        res_model     char     -         -        Related Document Model
        res_id        many2one_reference - -      Related Document ID
        summary       char     -         -        Summary
        note          html     -         -        Note
        date_deadline date     -         -        Due Date
        user_id       many2one res.users -        Assigned to
    """),
    "helpdesk.ticket": _fields("""
        name        char     -           -        Subject
        description html     -           -        Description
        ticket_ref  char     -           -        Ticket IDs Sequence
        partner_id  many2one res.partner -        Customer
        user_id     many2one res.users   -        Assigned to
        company_id  many2one res.company -        Company
    """),
}
MODULE_OF_MODEL = {"helpdesk.ticket": "helpdesk"}
"""Models of modules that not every installation has."""
CREATABLE = frozenset({"helpdesk.ticket", "mail.activity"})
"""What the key's user may create."""

MODEL_LABELS = {
    "account.move": "Journal Entry",
    "account.move.line": "Journal Item",
    "product.product": "Product Variant",
    "res.partner": "Contact",
    "res.company": "Companies",
    "res.currency": "Currency",
    "res.country": "Country",
    "l10n_latam.document.type": "Latam Document Type",
    "ir.model": "Models",
    "res.users": "User",
    "res.users.apikeys": "Users API Keys",
    "mail.activity": "Activity",
    "helpdesk.ticket": "Helpdesk Ticket",
}

DEFAULT_ORDERS = {
    "account.move": "date desc, name desc, invoice_date desc, id desc",
    "account.move.line": "date desc, id",
    "product.product": "default_code, name, id",
    "res.partner": "name, id desc",
}
