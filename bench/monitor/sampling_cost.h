// SamplingCost: what one sample of a guest takes, against a plain copy of the bytes that it has to read.
#pragma once

#include <benchmark/benchmark.h>

#include <cstddef>

#include "introspect/monitor/sampler.h"

namespace ktstr::bench {

/// Samples again and again, and reports: ns_per_cpu and us_fastest of a sample, floor_ns_per_cpu of the copy,
/// and ratio of the two. The floor is measured in the same run: one memcpy per CPU of as many bytes as a run
/// queue's fields span, out of as many separate places. With `budget_us`, a fastest sample above it is an
/// error.
void measure_sampling(benchmark::State& state, introspect::Sampler& sampler, const introspect::Kernel& kernel,
                      double budget_us = 0);

/// Takes samples 20 ms apart and reports what keeping them takes: bytes_per_cpu and keep_ns_per_cpu of a
/// sample, and read_ns_per_cpu of reading it again.
void measure_keeping(benchmark::State& state, introspect::Sampler& sampler);

}  // namespace ktstr::bench
