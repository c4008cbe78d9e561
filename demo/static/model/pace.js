// How fast captions come: of each, when it stood over the picture and how long its frame had waited for it, in
// milliseconds.
const KEPT = 5000; // milliseconds that the figures look back

// One more sample; those that are too old leave.
export function paced(samples, { at, delay }) {
  return [...samples.filter((each) => each.at > at - KEPT), { at, delay }];
}

// Captions a second and the middle delay of late; null while there are too few to say so.
export function paceOf(samples) {
  if (samples.length < 3) return null;
  const span = samples[samples.length - 1].at - samples[0].at;
  if (span <= 0) return null;
  return { rate: (1000 * (samples.length - 1)) / span, delay: percentile(samples.map(({ delay }) => delay), 0.5) };
}

// The value below which such a share of them lies, between neighbours in proportion.
export function percentile(values, share) {
  const sorted = [...values].sort((one, other) => one - other);
  const place = share * (sorted.length - 1);
  const below = Math.floor(place);
  return sorted[below] + (place - below) * (sorted[Math.min(below + 1, sorted.length - 1)] - sorted[below]);
}
