// What Python sends. Every message holds everything; a new run clears the page, an older one comes too late.
function createArrival(root, state, parts) {
  const { timeline, stage, cells, race, tree, captions, playback } = parts;
  const status = root.querySelector('.sat-status');

  function clear(value) {
    timeline.reset();
    stage.setGrid(value.grid);
    cells.reset(value.grid);
    state.preview = null;
    state.coverage = false;
    state.chosen = value.chosen || 0;
    state.companion = value.beside ?? -1;
  }

  // The model works on an answer; the page keeps what it has.
  function asking(ahead) {
    state.data = { ...state.data, phase: 'asking' };
    status.textContent = say(ahead ? 'waiting' : 'asking', { ahead });
    playback.wake();
  }

  function announce() {
    const { data } = state;
    status.textContent = say(data.phase, { ahead: data.ahead }) || '';
    root.querySelector('.sat-live').textContent = data.done ? say('caption') + ': ' + sentence(state.words) : '';
  }

  function show(value, fresh) {
    state.data = value;
    remember(value.settings, value.example);
    race.fill(value);
    tree.fill(value, state.chosen);
    root.querySelector('.sat-photo').alt = value.photo ? say('photo') : '';
    captions.read();
    if (!fresh) return;
    timeline.seek(value.start || 0);
    const caption = state.caption();
    if (caption && caption.change) timeline.state.playing = false; // a word that looked elsewhere waits to be looked at
  }

  return (sent) => {
    if (!sent) return;
    const value = unfold(sent);
    if (value.run < state.data.run || value.version !== 2) return;
    if (value.phase === 'asking') {
      asking(value.ahead);
      return;
    }
    const fresh = value.run > state.data.run;
    if (fresh) clear(value);
    inPlace(root.querySelector('.sat-questions'), () => show(value, fresh));
    announce();
    captions.refresh();
  };
}

// Whoever looks at a part of the page keeps it before their eyes, whatever grows or shrinks above it.
function inPlace(part, change) {
  const before = part.getBoundingClientRect();
  change();
  const moved = part.getBoundingClientRect().top - before.top;
  if (moved && before.top >= 0 && before.top < window.innerHeight * 0.75) window.scrollBy(0, moved);
}

// The address restores what is on the page; an offline page has none to restore.
function remember(settings, example) {
  if (!settings || settings.length !== 3 || !location.protocol.startsWith('http')) return;
  const url = new URL(location.href);
  ['beam', 'temperature', 'seed'].forEach((name, index) => url.searchParams.set(name, settings[index]));
  if (example) url.searchParams.set('photo', example);
  else url.searchParams.delete('photo');
  if (url.href !== location.href) history.replaceState(history.state, '', url);
}
