"""The benchmarks behind `make bench`: chatbridge beside what people would otherwise write. See bench/README.md."""
