// In front of a class: full screen, large type, and the step's equations with this word's real numbers.
function createLecture(element) {
  const list = element.querySelector('.sat-equations');

  function on() {
    return element.classList.contains('sat-lecture');
  }

  function set(wanted) {
    element.classList.toggle('sat-lecture', wanted);
    element.querySelector('.sat-full').setAttribute('aria-pressed', String(wanted));
  }

  document.addEventListener('fullscreenchange', () => set(document.fullscreenElement === element));

  function line(formula, meaning, value) {
    const item = document.createElement('li');
    for (const [tag, text] of [['code', formula], ['span', meaning], ['strong', value]]) {
      const part = document.createElement(tag);
      part.dir = 'auto';
      part.textContent = text;
      item.append(part);
    }
    return item;
  }

  return {
    toggle() {
      const wanted = !on();
      if (wanted && element.requestFullscreen) element.requestFullscreen().catch(() => set(true));
      else if (!wanted && document.fullscreenElement) document.exitFullscreen();
      else set(wanted);
    },
    leave() {
      if (!document.fullscreenElement) set(false);
    },
    // Energies are known up to a constant from alpha itself, since alpha is their softmax.
    show(word, before, cell) {
      if (!word || !on()) return;
      const weight = word.alpha[cell];
      const energy = weight > 0 ? Math.log(weight / word.peak).toFixed(2) : '−∞';
      const text = word.end ? '<end>' : word.text;
      list.replaceChildren(
        line('eᵢ = w · f(Wₐ aᵢ + W hₜ₋₁)', say('energyLine'), signed(energy)),
        line('αᵢ = exp eᵢ ∕ Σⱼ exp eⱼ', say('alphaLine'), percent(weight, 2)),
        line('ẑ = β Σᵢ αᵢ aᵢ', say('contextLine'), 'β = ' + word.gate.toFixed(3)),
        line('hₜ = LSTM([E yₜ₋₁, ẑ], hₜ₋₁)', say('lstmLine'), before ? before.text : '<start>'),
        line('p(yₜ) = softmax(output(E yₜ₋₁, hₜ, ẑ))', say('softmaxLine', { word: text }),
          percent(word.chance, 1) + ', ' + (-Math.log(word.chance)).toFixed(2) + ' nats'),
      );
    },
  };
}
