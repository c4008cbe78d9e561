// How maps are drawn, as Python would say: two looks of four levels.
const table = (...bytes) => btoa(String.fromCharCode(...bytes));

export const LOOKS = {
  sharpest: 4,
  opacity: 0.8,
  tables: {
    heat: table(0, 0, 0, 0, 50, 0, 0, 85, 100, 0, 0, 170, 200, 100, 0, 255),
    spotlight: table(6, 6, 10, 255, 6, 6, 10, 170, 6, 6, 10, 85, 6, 6, 10, 0),
  },
};
