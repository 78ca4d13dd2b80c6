"""What deepcolor costs, against its targets: ``make bench``, then docs/performance.md."""
