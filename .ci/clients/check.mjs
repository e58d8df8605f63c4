// Usage: node check.mjs NAME...: the promises of these clients (NAME.mjs), one line for each.
for (const name of process.argv.slice(2)) {
  const { default: promises } = await import(`./${name}.mjs`);
  for (const [promise, check] of Object.entries(promises)) {
    try {
      await check();
      console.log(`ok ${name}: ${promise}`);
    } catch (error) {
      console.log(`FAILED ${name}: ${promise}: ${error.stack ?? error}`);
    }
  }
}
