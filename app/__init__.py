"""The service: a dialect turns a request into an Ask, the pipeline turns an Ask into events."""

VERSION = "0.1.0"
