// The caption as a line of words, and the strip of their maps.
const RANKS = 3;
const LINE = 12; // words that a caption mostly has

function createWords(element, on) {
  const line = element.querySelector('.sat-caption');
  const strip = element.querySelector('.sat-strip');
  const buttons = [];
  const thumbs = [];
  let marked = '';

  function listen(button, index) {
    button.addEventListener('pointerenter', (event) => event.pointerType !== 'touch' && on.preview(index));
    button.addEventListener('pointerleave', () => on.preview(null));
    button.addEventListener('focus', () => button.matches(':focus-visible') && on.preview(index));
    button.addEventListener('blur', () => on.preview(null));
    button.addEventListener('click', () => on.pin(index));
  }

  function add(index) {
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'sat-word';
    button.dir = 'auto';
    const text = document.createElement('bdi');
    const rank = document.createElement('span');
    const share = document.createElement('span');
    rank.className = 'sat-rank';
    rank.setAttribute('aria-hidden', 'true');
    share.className = 'sat-share';
    button.append(rank, text, share);
    line.append(button, ' ');
    buttons.push(button);

    const item = document.createElement('li');
    const thumb = document.createElement('button');
    thumb.type = 'button';
    thumb.className = 'sat-thumb';
    thumb.append(document.createElement('canvas'), document.createElement('bdi'));
    item.append(thumb);
    strip.append(item);
    thumbs.push(thumb);
    listen(button, index);
    listen(thumb, index);
  }

  function trim(count) {
    while (buttons.length > count) {
      const button = buttons.pop();
      if (button.nextSibling) button.nextSibling.remove();
      button.remove();
      thumbs.pop().parentElement.remove();
    }
  }

  return {
    fill(words, grid) {
      trim(words.length);
      marked = '';
      words.forEach((word, index) => {
        if (index >= buttons.length) add(index);
        const shown = word.end ? '■' : word.text;
        const described = mapInWords(word, grid);
        for (const each of [buttons[index], thumbs[index]]) {
          const text = each.querySelector('bdi');
          if (text.textContent !== shown) text.textContent = shown;
          each.classList.toggle('sat-end', word.end);
          each.setAttribute('aria-label', described);
          each.title = described;
        }
      });
      line.classList.toggle('sat-long', words.length > 14);
      strip.style.setProperty('--count', Math.max(words.length, LINE)); // so that thumbnails keep their size while words come
    },
    drawThumbs(words, photo, grid, topOf, table) {
      const map = document.createElement('canvas');
      const tall = expandMatrix(grid[0], 4);
      const wide = expandMatrix(grid[1], 4);
      const aspect = photo.naturalWidth / photo.naturalHeight || 1;
      thumbs.forEach((thumb, index) => {
        // What has not changed is not drawn again, since every new word comes by here.
        const drawn = [words[index].map, topOf(words[index]), table, photo.currentSrc, photo.complete];
        if (thumb.drawn && thumb.drawn.every((part, at) => part === drawn[at])) return;
        thumb.drawn = drawn;
        const canvas = thumb.querySelector('canvas');
        const height = 128;
        const width = Math.round(height * Math.min(Math.max(aspect, 0.4), 2.5));
        if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
        const context = canvas.getContext('2d');
        const field = expand(words[index].alpha, grid[0], grid[1], tall, wide);
        paintField(map, field, grid[1] * 4, grid[0] * 4, topOf(words[index]), table);
        context.drawImage(photo, 0, 0, width, height);
        context.imageSmoothingQuality = 'high';
        context.drawImage(map, 0, 0, width, height);
      });
    },
    mark(current, reached) {
      const state = [current, reached, buttons.length].join();
      if (state === marked) return;
      marked = state;
      buttons.forEach((button, index) => {
        const isCurrent = index === current;
        for (const each of [button, thumbs[index]]) {
          each.classList.toggle('sat-current', isCurrent);
          each.setAttribute('aria-pressed', String(isCurrent));
        }
        button.classList.toggle('sat-ahead', index > reached);
      });
    },
    // How much of each word's attention lies in a region, and the words' ranks by that; or null to clear.
    showShares(shares) {
      const top = shares ? Math.max(...shares) : 0;
      const ranked = shares ? ranking(shares).slice(0, RANKS) : [];
      buttons.forEach((button, index) => {
        button.querySelector('.sat-rank').textContent = ranked.includes(index) ? ranked.indexOf(index) + 1 : '';
        button.querySelector('.sat-share').textContent = shares ? percent(shares[index], 1) : '';
        button.style.setProperty('--share', shares && top > 0 ? shares[index] / top : 0);
      });
      line.classList.toggle('sat-shares', Boolean(shares));
    },
  };
}
