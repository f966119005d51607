/** A real SMTP server in this process, whose answers a test chooses. */
import { SMTPServer } from 'smtp-server';
import { afterAll } from 'vitest';

export interface Smtp {
  readonly url: string;
  readonly port: number;
  /** What was delivered, as it came, quoted-printable undone. */
  readonly mails: { readonly to: readonly string[]; readonly text: string }[];
  /** The answer to the next receivers; undefined takes them. */
  refuse: { readonly code: number; readonly message: string } | undefined;
  password: string;
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startSmtp(): Promise<Smtp> {
  let server: SMTPServer;
  const open = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server = new SMTPServer({
        authOptional: false,
        allowInsecureAuth: true,
        disabledCommands: ['STARTTLS'],
        onAuth: (auth, _session, done) =>
          auth.password === smtp.password
            ? done(null, { user: auth.username ?? '' })
            : done(Object.assign(new Error('Wrong password'), { responseCode: 535 })),
        onRcptTo: (_address, _session, done) =>
          smtp.refuse === undefined ? done() : done(Object.assign(new Error(smtp.refuse.message), { responseCode: smtp.refuse.code })),
        onData: (stream, session, done) => {
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('end', () => {
            const to = session.envelope.rcptTo.map((receiver) => receiver.address);
            smtp.mails.push({ to, text: unquote(Buffer.concat(chunks).toString('utf8')) });
            done();
          });
        },
      });
      server.on('error', reject);
      const listening = server.listen(port, '127.0.0.1', () => resolve((listening.address() as { port: number }).port));
    });
  const stop = (): Promise<void> => new Promise((resolve) => server.close(() => resolve()));
  const mails: Smtp['mails'] = [];
  const smtp = {
    mails,
    refuse: undefined as Smtp['refuse'],
    password: 'right',
    stop,
    port: 0,
    url: '',
    start: async () => void (await open(smtp.port)),
  };
  smtp.port = await open(0);
  smtp.url = `smtp://mailer:right@127.0.0.1:${smtp.port}`;
  afterAll(() => stop());
  return smtp;
}

const unquote = (text: string): string =>
  text.replace(/=\r?\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)));
