// Numbers that the player asked for arrive here; they are handed on inside the page.
watch('value', () => document.dispatchEvent(new CustomEvent('sat-numbers', { detail: props.value })));
