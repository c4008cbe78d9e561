// The example thumbnails: each is a button that asks Python for its photo.
const strip = element.querySelector('.sat-examples');

function draw() {
  strip.setAttribute('aria-label', say('examples'));
  strip.replaceChildren(...(props.value || []).map((example) => {
    const button = document.createElement('button');
    const image = document.createElement('img');
    const name = say(example.name) || example.name;
    button.type = 'button';
    button.className = 'sat-example';
    image.src = example.photo.url;
    image.alt = name;
    button.title = name;
    button.append(image);
    button.addEventListener('click', () => trigger('choose', { name: example.name }));
    return button;
  }));
}

watch('value', draw);
draw();
