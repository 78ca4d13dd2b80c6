// Where trying again can help: it was not the photograph that failed, nor what was asked for it.

// The worker's, or its machine's; see docs/architecture.md.
const PASSING_ERRORS = new Set([
  "gave_up",
  "crashed",
  "took_too_long",
  "out_of_memory",
  "weights_missing",
  "weights_corrupt",
  "weights_folder",
  "package_missing",
  "strategy_broken",
]);
// The file's own, which no other way of coloring mends.
const ERRORS_OF_FILES = new Set([
  "not_a_photograph",
  "damaged_photograph",
  "too_many_pixels",
  "too_large",
  "format_limit",
  "reserved_key",
  "upload_gone",
  "never_arrived",
]);
const LASTING_STATUSES = new Set([404, 413, 415, 422]);

// Whether a photograph that the API describes might be colored another time.
export const isColoringWorthRetrying = ({ error }) => PASSING_ERRORS.has(error?.code);

// Whether a photograph that the API describes will be colored in no way.
export const needsAnotherFile = ({ error }) => ERRORS_OF_FILES.has(error?.code);

// Whether a request that ended in this problem might succeed another time.
export const isRequestWorthRetrying = ({ status, code }) =>
  !LASTING_STATUSES.has(status) && code !== "upload-gone";
