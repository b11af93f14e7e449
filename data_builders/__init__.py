"""From raw survey files to TFDS records: one builder per survey."""

from data_builders.hits import Hits as Hits
