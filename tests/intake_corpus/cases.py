"""The whole corpus."""

from tests.intake_corpus.bad_files import FILES_AND_SETTINGS
from tests.intake_corpus.bad_values import TABLES, VALUES

CASES = [*VALUES, *TABLES, *FILES_AND_SETTINGS]
