// What is told while Drover itself is out of reach. The command line says it too: nothing is imported here.

const refusedSocket = (drover: string) =>
  `${drover} answers, but its WebSocket is refused. Does the proxy before it pass on “Upgrade” and “Host”, and was Drover started with its --public-url?`;

export const link = {
  wrongToken:
    'This page’s token is not the running Drover’s. Open the address that “drover serve” printed when it started.',
  login: 'The proxy before Drover asks for a login: load this page again.',
  noSocket: refusedSocket('Drover'),
  noSocketAt: (origin: string) => refusedSocket(`The Drover at ${origin}`),
  noWindow: 'Drover is there but takes no window now. The window tries again by itself.',
  unreachable: 'Drover does not answer. Is “drover serve” running? The window tries again by itself.',
  lost: 'The connection to Drover was lost before it answered.',
};
