// Two captions in step: a second photo, map and line of words, on the same clock as the first.
function createBeside(element, reduced, on) {
  const ownHead = element.querySelector('.sat-head');
  const ownLine = element.querySelector('.sat-caption');
  let pane = null;
  let stage = null;
  let line = null;
  let words = [];
  let grid = [14, 14];

  function build(look) {
    pane = document.createElement('div');
    pane.className = 'sat-second';
    pane.append(ownHead.cloneNode(false), element.querySelector('.sat-frame').cloneNode(true));
    pane.querySelector('.sat-status').remove();
    pane.querySelector('.sat-stage').removeAttribute('tabindex');
    pane.querySelector('.sat-cursor').hidden = true;
    for (const [tag, name] of [['p', 'sat-caption'], ['ol', 'sat-strip']]) {
      const part = document.createElement(tag);
      part.className = name;
      part.hidden = name === 'sat-strip';
      pane.append(part);
    }
    pane.querySelector('.sat-head').classList.remove('sat-head-main');
    element.querySelector('.sat-head').before(pane);
    stage = createStage(pane, reduced);
    stage.setLook(look);
    stage.setGrid(grid);
    line = createWords(pane, on);
  }

  function close() {
    if (pane) pane.remove();
    pane = null;
    words = [];
    ownHead.replaceChildren();
    underline(ownLine, []);
    element.classList.remove('sat-paired');
  }

  function title(head, name, caption) {
    const strong = document.createElement('strong');
    const score = document.createElement('span');
    strong.textContent = name;
    score.className = 'sat-number';
    score.textContent = say('nats', { nats: signed(caption.log_prob.toFixed(1)) });
    head.replaceChildren(strong, score);
  }

  function closer() {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'sat-icon sat-close';
    button.textContent = '×';
    button.title = say('unpair');
    button.setAttribute('aria-label', say('unpair'));
    button.addEventListener('click', on.close);
    return button;
  }

  function underline(holder, flags) {
    holder.querySelectorAll('.sat-word').forEach((word, index) => word.classList.toggle('sat-differs', flags[index] || false));
  }

  return {
    close,
    // ``second``, ``own``: a caption each, its parsed ``words``, its ``name``, and ``flags`` of what differs in it;
    // ``view``: photo, size, grid and look.
    open({ second, own }, view) {
      grid = view.grid;
      if (!pane) build(view.look);
      words = second.words;
      stage.setPhoto(view.url, view.size);
      line.fill(words, grid);
      title(pane.querySelector('.sat-head'), second.name, second.caption);
      title(ownHead, own.name, own.caption);
      ownHead.append(closer());
      element.classList.add('sat-paired');
      underline(pane, second.flags);
      underline(ownLine, own.flags);
    },
    setLook: (look) => pane && stage.setLook(look),
    showRegion(region) {
      if (!pane) return;
      outline(pane.querySelector('.sat-cell'), region, grid);
      line.showShares(region && words.map((word) => shareIn(word.alpha, region, grid)));
    },
    // The word at ``at``, or the last where this caption is shorter; ``going``: its map moves on to the next one.
    show(at, going, summed, topOf, playing) {
      if (!pane) return;
      const index = Math.min(at, words.length - 1);
      line.mark(summed ? -1 : index, playing ? index : words.length);
      if (index < 0) stage.aim(null, 1);
      else if (summed) {
        const sum = coverageOf(words);
        stage.aim(sum, Math.max(...sum));
      } else aimBetween(stage, words[index], going && index === at ? words[index + 1] : null, topOf);
    },
    tick: (elapsed, blend) => Boolean(pane) && stage.tick(elapsed, blend),
  };
}

// The map and its scale, on the way from one word to the next if there is one.
function aimBetween(stage, word, next, topOf) {
  stage.aim(word.alpha, topOf(word), next && next.alpha, next && topOf(next));
}

function coverageOf(words) {
  return words[0].alpha.map((none, at) => words.reduce((total, word) => total + word.alpha[at], 0));
}
