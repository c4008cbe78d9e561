// What the browser keeps for the page: 'localStorage' for all visits, 'sessionStorage' as long as the tab is there. It may
// keep nothing, or not so much.

export function stored(storage, name) {
  try {
    return window[storage].getItem(name);
  } catch {
    return null;
  }
}

// Whether it is kept; null is forgotten.
export function store(storage, name, value) {
  try {
    if (value === null) window[storage].removeItem(name);
    else window[storage].setItem(name, value);
    return true;
  } catch {
    return false;
  }
}
