"""`pytest tests/twin --hypothesis-profile=thorough` compares twenty times as many scenarios."""

from hypothesis import settings

settings.register_profile("thorough", settings.get_profile("rfcsim"), max_examples=2000)
