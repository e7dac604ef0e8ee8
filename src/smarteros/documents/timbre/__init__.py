"""SII's timbre: finding it in a photo, decoding it, and telling whether it is genuine."""
