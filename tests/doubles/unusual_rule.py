"""A rule on what is learned of a gauge; what stands under `tellwhy:` is put behind it."""

UNUSUAL = """
title: Unusual
id: 6a0a7c1e-5b1f-4c8a-9f0e-0d9f3d1a2b3c
status: test
description: Something unusual.
author: tellwhy
date: 2026-11-21
logsource: {product: linux, category: host_metrics}
detection:
    selection: {cpu.percent.zscore|gte: 5}
    condition: selection
level: low
"""
