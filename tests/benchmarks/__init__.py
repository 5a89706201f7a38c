"""The parts of the benchmark that could mislead without anybody noticing."""
