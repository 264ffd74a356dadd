/** Logs in with a page of the application. @returns the cookies, as a request sends them */
export async function logIn(port, path) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  if (response.status !== 200) throw new Error(`The log-in was answered with ${response.status}`);
  const cookies = response.headers.getSetCookie();
  if (cookies.length === 0) throw new Error('The log-in set no cookie');
  return cookies.map((cookie) => cookie.split(';')[0]).join('; ');
}
