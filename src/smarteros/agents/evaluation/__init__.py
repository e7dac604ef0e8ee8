"""How well an agent understands labelled messages: figures, and pictures of them."""
