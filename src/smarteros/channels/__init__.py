"""Ways a customer's message comes in and a reply goes out; one module or folder per vendor."""
