element.querySelector('p').textContent = say('tagline');
