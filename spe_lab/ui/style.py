"""The style sheet of explorers, as markup that a page of widgets holds: no extension of Jupyter is needed."""

from pathlib import Path

SHEET = f"<style>{Path(__file__).with_name('explorer.css').read_text(encoding='utf-8')}</style>"
