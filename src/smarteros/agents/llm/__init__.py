"""The brain with a language model: it words answers from cited passages, the embedded brain decides everything else."""
