"""Tests of the alerts, against receivers that we did not write."""
