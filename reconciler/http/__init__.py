"""What every package that uses HTTP needs: clock, retries, URL checks, typed reading of JSON."""
