"""What all tests share."""

from hypothesis import settings

# a busy machine must not fail a test: nothing here is timed
settings.register_profile("suite", deadline=None)
settings.load_profile("suite")
