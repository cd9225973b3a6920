// Stands in for react-style-singleton, with which dialogs and menus keep the page
// from scrolling behind them. This page never scrolls.
export const styleSingleton = () => () => null;
