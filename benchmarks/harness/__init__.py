"""What every benchmark is built from: figures, the lab they are measured in, and how they are shown."""

from benchmarks.harness.figures import Benchmark, Figure
from benchmarks.harness.lab import Lab

__all__ = ["Benchmark", "Figure", "Lab"]
