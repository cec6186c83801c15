"""What every room that talks HTTP needs: clock, retries, URL checks, typed reading of JSON."""
