// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "lib/http/router.h"
#include "services/api/context.h"

namespace segue::api {

// Adds /v1/audiences/…. The surroundings outlive the router.
void add_audience_routes(http::Router& router, const Surroundings& around);

// POST /v1/audiences/export (audience_export.cpp).
void export_audience(const Surroundings& around, const http::Request& request, const http::Responder& responder);
// GET /v1/audiences/sets (audience_sets.cpp).
void list_sets(const Surroundings& around, const http::Request& request, const http::Responder& responder);

// The longest that a read keeps its shard at a time; then it goes on after the next batch.
inline constexpr std::chrono::microseconds kReadSlice{1'000};

}  // namespace segue::api
