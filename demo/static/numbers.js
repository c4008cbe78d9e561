// One word's equations in numbers: asked of Python once, then kept as long as its run is on the page.
function createNumbers(ask, arrived) {
  const kept = new Map();
  const name = (asked) => [asked.run, asked.index, asked.position].join();

  document.addEventListener('sat-numbers', (event) => {
    if (!event.detail || !kept.has(name(event.detail))) return;
    kept.set(name(event.detail), event.detail);
    arrived();
  });

  return {
    // Null until they are here.
    of(asked) {
      if (!kept.has(name(asked))) {
        for (const key of kept.keys()) if (!key.startsWith(asked.run + ',')) kept.delete(key);
        kept.set(name(asked), null);
        ask(asked);
      }
      return kept.get(name(asked));
    },
  };
}
