"""The JSON shapes of Chatwoot: four serialisations of the same rows, one module each."""
