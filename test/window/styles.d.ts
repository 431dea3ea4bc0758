// What the window's modules import besides code; vite knows it, the types of the tests do not.
declare module '*.css';
